<?php
// The database that Adminer is shown with.
$database = new SQLite3($argv[1]);
$database->exec("CREATE TABLE guest (id INTEGER PRIMARY KEY, name TEXT NOT NULL, seat TEXT)");
$database->exec("INSERT INTO guest (name, seat) VALUES ('Ada', 'A1'), ('Grace', 'B2')");
