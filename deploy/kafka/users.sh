#!/bin/bash
# Gives the broker one SCRAM user per password file /run/secrets/kafka_user_<name>. Running it again sets the same passwords.
# Passwords pass through files only: what stands on a command line can be read by others.
set -euo pipefail
umask 077
tools=${KAFKA_TOOLS:-/opt/kafka/bin}
broker=${KAFKA_INTERNAL:-localhost:19092}
secrets=${SECRETS:-/run/secrets}
scratch=$(mktemp)
trap 'rm -f "$scratch"' EXIT

for file in "$secrets"/kafka_user_*; do
  name=${file##*/kafka_user_}
  printf 'SCRAM-SHA-512=password=%s\n' "$(tr -d '\r\n' < "$file")" > "$scratch"
  "$tools/kafka-configs.sh" --bootstrap-server "$broker" --alter --entity-type users --entity-name "$name" \
    --add-config-file "$scratch" > /dev/null
  echo "Kafka user $name is set."
done
