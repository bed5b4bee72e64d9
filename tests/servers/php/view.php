<?php
// A page that takes the rest of its path for an argument.
header('Content-Type: text/plain');
echo "area=AREA resource=SCRIPT path_info=", rawurlencode($_SERVER['PATH_INFO'] ?? ''), "\n";
