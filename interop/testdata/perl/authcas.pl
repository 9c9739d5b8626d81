#!/usr/bin/perl
# An application as the users of AuthCAS write it; Sympa is one. It speaks CAS 2
# and can be a portal, or behind one.
use strict;
use warnings;

use AuthCAS;
use JSON::PP;
use LWP::UserAgent;
use URI::Escape;

my $base  = $ENV{APP_BASE};
my %query = map { my ($name, $value) = split /=/, $_, 2; ($name => uri_unescape($value // '')) }
  split /&/, $ENV{QUERY_STRING} // '';
my ($path) = $ENV{REQUEST_URI} =~ /^([^?]*)/;
my $cas = AuthCAS->new(casUrl => $ENV{APP_CAS}, CAFile => $ENV{APP_CA});

sub send_to { print "Status: 302\r\nLocation: $_[0]\r\n\r\n"; exit }

sub answer {
    my %told = @_;
    print "Content-Type: application/json\r\n\r\n", encode_json({ user => '', proxies => [], code => '', %told });
    exit;
}

my $ticket = $query{ticket};
if ($path eq '/callback') {
    $cas->proxyMode(pgtFile => "$ENV{APP_FOLDER}/pgt", pgtCallbackUrl => "$base/callback");
    $cas->storePGT($query{pgtIou}, $query{pgtId}) if $query{pgtIou};
    print "Content-Type: text/plain\r\n\r\nok\n";
}
elsif ($path eq '/public') {
    my $service = "$base/public?asked=1";
    send_to($cas->getServerLoginGatewayURL($service)) unless $query{asked};
    answer(user => $ticket ? $cas->validateST($service, $ticket) : '');
}
elsif ($path eq '/behind') {
    my ($user, @proxies) = $cas->validatePT("$base/behind", $ticket);
    answer(user => $user // '', proxies => \@proxies, code => AuthCAS::get_errors() // '');
}
elsif ($path eq '/portal') {
    $cas->proxyMode(pgtFile => "$ENV{APP_FOLDER}/pgt", pgtCallbackUrl => "$base/callback");
    send_to($cas->getServerLoginURL("$base/portal")) unless $ticket;
    my $user = $cas->validateST("$base/portal", $ticket);
    my $pt   = $cas->retrievePT($ENV{APP_TARGET});
    answer(user => $user // '', fine => JSON::PP::false, code => AuthCAS::get_errors() // '') unless $pt;
    my $got = LWP::UserAgent->new->get("$ENV{APP_TARGET}?ticket=$pt");
    answer(user => $user // '', fine => JSON::PP::true, behind => $got->decoded_content);
}
elsif ($path eq '/logout') {
    send_to($cas->getServerLogoutURL("$base/"));
}
else {
    send_to($cas->getServerLoginURL("$base$path")) unless $ticket;
    my $user = $cas->validateST("$base$path", $ticket);
    answer(user => $user // '', code => AuthCAS::get_errors() // '');
}
