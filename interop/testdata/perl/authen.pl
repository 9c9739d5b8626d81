#!/usr/bin/perl
# An application as the users of Authen::CAS::Client write it. It speaks CAS 1
# and 2 and can be a portal, or behind one.
use strict;
use warnings;

use Authen::CAS::Client;
use JSON::PP;
use LWP::UserAgent;
use URI::Escape;

my $base  = $ENV{APP_BASE};
my %query = map { my ($name, $value) = split /=/, $_, 2; ($name => uri_unescape($value // '')) }
  split /&/, $ENV{QUERY_STRING} // '';
my ($path) = $ENV{REQUEST_URI} =~ /^([^?]*)/;
my $cas    = Authen::CAS::Client->new($ENV{APP_CAS});
my $ticket = $query{ticket};

sub answer {
    my %told = @_;
    print "Content-Type: application/json\r\n\r\n", encode_json({ user => '', proxies => [], code => '', %told });
    exit;
}

# told is what the client made of an answer of the server.
sub told {
    my ($response) = @_;
    return (user => $response->user, proxies => [ $response->proxies ]) if $response->is_success;
    return (code => $response->is_error ? $response->error : $response->code);
}

if ($path eq '/callback') {
    if ($query{pgtIou}) {
        open my $store, '>', "$ENV{APP_FOLDER}/$query{pgtIou}" or die $!;
        print {$store} $query{pgtId};
        close $store or die $!;
    }
    print "Content-Type: text/plain\r\n\r\nok\n";
    exit;
}
if ($path eq '/behind') {
    answer(told($cas->proxy_validate("$base/behind", $ticket)));
}
unless ($ticket) {
    my $renew = $path eq '/vote' ? 1 : 0;
    print "Status: 302\r\nLocation: ", $cas->login_url("$base$path", renew => $renew), "\r\n\r\n";
    exit;
}
if ($path eq '/one') {
    answer(told($cas->validate("$base/one", $ticket)));
}
elsif ($path eq '/vote') {
    answer(told($cas->service_validate("$base/vote", $ticket, renew => 1)));
}
elsif ($path eq '/portal') {
    my $response = $cas->service_validate("$base/portal", $ticket, pgtUrl => "$base/callback");
    answer(told($response)) unless $response->is_success;
    open my $store, '<', "$ENV{APP_FOLDER}/" . $response->iou or die $!;
    my $proxied = $cas->proxy(scalar <$store>, $ENV{APP_TARGET});
    answer(told($response), fine => JSON::PP::false, code => $proxied->code) unless $proxied->is_success;
    my $got = LWP::UserAgent->new->get("$ENV{APP_TARGET}?ticket=" . $proxied->proxy_ticket);
    answer(told($response), fine => JSON::PP::true, behind => $got->decoded_content);
}
answer(told($cas->service_validate("$base$path", $ticket)));
