<?php
// An application as phpCAS's users write it. What it is, the environment says:
// which protocol it speaks, whether it is a portal, and where everything is.

$CAS_VERSION = ['1' => '1.0', '2' => '2.0', '3' => '3.0', 'saml' => 'S1'][getenv('APP_PROTOCOL')];

require_once 'CAS.php';

$base = getenv('APP_BASE');
$start = getenv('APP_PROXY') ? 'proxy' : 'client';
phpCAS::setDebug(getenv('APP_FOLDER') . '/said.log');
phpCAS::setVerbose(true);
phpCAS::$start($CAS_VERSION, 'localhost', (int) getenv('APP_CAS_PORT'), '/cas', $base);
phpCAS::setCasServerCACert(getenv('APP_CA'));
if (getenv('APP_PROXY')) {
    phpCAS::setFixedCallbackURL($base . '/callback');
    phpCAS::setPGTStorageFile(getenv('APP_FOLDER'));
}
if (getenv('APP_BEHIND')) {
    phpCAS::allowProxyChain(new CAS_ProxyChain(explode(' ', getenv('APP_BEHIND'))));
}
phpCAS::handleLogoutRequests(true, ['localhost', '127.0.0.1']);

// answer tells what the application knows of the person.
function answer($extra = [])
{
    header('Content-Type: application/json');
    $known = phpCAS::isSessionAuthenticated();
    echo json_encode([
        'user' => $known ? phpCAS::getUser() : '',
        'attributes' => $known ? (object) phpCAS::getAttributes() : (object) [],
        'proxies' => $known ? phpCAS::getProxies() : [],
    ] + $extra);
}

switch (parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH)) {
    case '/session': // what the session holds, without asking the server
        phpCAS::isAuthenticated();
        answer();
        break;
    case '/public':
        phpCAS::checkAuthentication();
        answer();
        break;
    case '/vote':
        phpCAS::renewAuthentication();
        answer();
        break;
    case '/logout':
        phpCAS::logoutWithRedirectService($base . '/session');
        break;
    case '/ask': // the portal asks the application behind it, as this person
        phpCAS::forceAuthentication();
        $code = $output = '';
        $fine = phpCAS::serviceWeb(getenv('APP_TARGET'), $code, $output);
        answer(['fine' => $fine, 'code' => $code, 'behind' => $output]);
        break;
    case '/ticket': // a proxy ticket for what is no address of the web
        phpCAS::forceAuthentication();
        $code = $text = '';
        $ticket = phpCAS::retrievePT($_GET['for'], $code, $text);
        answer(['fine' => $ticket !== false, 'code' => $code, 'behind' => $ticket ?: $text]);
        break;
    default:
        phpCAS::forceAuthentication();
        answer();
}
