<?php
// An SQLite file has no password of its own, which Adminer refuses unless it is told otherwise: as so many consoles,
// this one leaves the question of who may enter to whatever stands in front of it.
function adminer_object() {
    class WithoutPassword extends Adminer {
        function database() { return getenv("GUESTS"); }
        function databases($flush = true) { return [getenv("GUESTS")]; }
        function login($login, $password) { return true; }
        // The Editor's form knows no other system than MySQL.
        function loginFormField($name, $heading, $value) {
            return $heading . str_replace('name="auth[driver]" value="server"', 'name="auth[driver]" value="sqlite"', $value);
        }
    }
    return new WithoutPassword;
}
