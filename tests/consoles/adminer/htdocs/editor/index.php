<?php
include "../../no-password.php";
include "/usr/share/adminer/editor.php";
