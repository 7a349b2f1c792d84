#!/usr/bin/env bash
# Makes the tokens of docker-compose.yml, once: one that you log in with, and one for Prometheus, which may only look.
# The server is given their hashes. Nothing that is there is made anew.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets
if [ -e tokens ]; then
    echo "deploy/secrets/ is there already; to log in, use the token in deploy/secrets/yours"
    exit 0
fi
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
hash() { printf %s "$1" | sha256sum | cut -d' ' -f1; }
yours="fa_$(random)" prometheus="fa_$(random)"
printf %s "$yours" > yours
printf %s "$prometheus" > prometheus
{
    echo "$(hash "$yours")  you  administer"
    echo "$(hash "$prometheus")  prometheus  see"
} > tokens
# Whoever these are mounted for runs as somebody else; the folder is closed to everybody else on this machine.
chmod 0644 tokens prometheus
echo "To log in, use the token in deploy/secrets/yours"
