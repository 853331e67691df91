# SPDX-License-Identifier: Apache-2.0
#
# breaking-backend.pl PORT LOG
# An HTTP server as a client meets it across a restart or an idle limit: it answers the first request of each
# connection and keeps the connection, reads the second one whole, and closes without a word. A line of
# the log a request: which connection, which request of it, the request line. Perl's base is on every
# Debian.
use strict;
use warnings;
use IO::Socket::INET;

sub request_of {
    my ($client, $rest) = @_;
    while ($$rest !~ /\r\n\r\n/) {
        sysread($client, $$rest, 65536, length $$rest) or return;
    }
    (my $head, $$rest) = split /\r\n\r\n/, $$rest, 2;
    my $length = $head =~ /^content-length: *(\d+)/im ? $1 : 0;
    while (length($$rest) < $length) {
        sysread($client, $$rest, 65536, length $$rest) or return;
    }
    substr($$rest, 0, $length) = '';
    return $head =~ s/\r.*//sr;
}

sub serve {
    my ($client, $connection, $log) = @_;
    my $rest = '';
    for my $request (1, 2) {
        my $line = request_of($client, \$rest) // last;
        syswrite($log, "$connection.$request $line\n");
        syswrite($client, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") if $request == 1;
    }
}

my ($port, $path) = @ARGV;
open(my $log, '>>', $path) or die "$path: $!";
my $listener = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$port", Listen => 16, ReuseAddr => 1) or die $!;
$SIG{CHLD} = 'IGNORE';
for (my $connection = 1; my $client = $listener->accept; $connection++) {
    my $child = fork // die $!;
    next if $child;
    serve($client, $connection, $log);
    exit;
}
