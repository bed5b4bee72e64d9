<?php
// A front controller as many panels have one: whatever is no file comes here and is routed by the first part of its path.
// Where this is served as a text: area=rest resource=front.php
$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$parts = explode('/', trim(rawurldecode((string) $path), '/'));
$area = in_array($parts[0], ['admin', 'app', 'public', 'report', 'static'], true) ? $parts[0] : 'rest';
header('Content-Type: text/plain');
echo "area=$area resource=front:", rawurlencode(implode('/', $parts)), "\n";
