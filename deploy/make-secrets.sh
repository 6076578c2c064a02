#!/usr/bin/env bash
# Makes what docker-compose.yml reads as secrets: passwords, the certificate of the broker, the key folders. What exists is
# kept. Run it as root: each file is then owned by the user of the container that reads it, and readable by that user alone.
set -euo pipefail
umask 077
cd "$(dirname "$0")/.."
folder=${1:-deploy/secrets}
sor=${SOR:-.venv/bin/sor}
hosts=${KAFKA_HOSTS:-DNS:kafka,DNS:localhost,IP:127.0.0.1}
mkdir -p "$folder"

# Users inside the images that read secrets: our own (the registry runs as it too), apache/kafka, clickhouse, grafana.
uid_sor=10001 uid_kafka=1000 uid_clickhouse=101 uid_grafana=472

owned() { # UID FILE…
  local uid=$1
  shift
  if [ "$(id -u)" = 0 ]; then chown -R "$uid" "$@"; fi
}

password() { # NAME UID
  if [ ! -s "$folder/$1" ]; then openssl rand -hex 24 > "$folder/$1"; fi
  owned "$2" "$folder/$1"
}

for name in admin intake upstream evaluate entry takeback trajectories deliveries register sink audit operator backup replay; do
  password "kafka_user_$name" "$uid_sor"
done
for name in admin sink receipts rejected exporter audit replay repair release reports; do
  password "clickhouse_$name" "$uid_sor"
done
password clickhouse_grafana "$uid_grafana"
password grafana_admin "$uid_grafana"
password grafana_audiences_admin "$uid_grafana"
password grafana_audiences_key "$uid_grafana"
# Which providers see their own results: sor providers add, with this folder as SOR_HOME.
if [ ! -s "$folder/aanbieders.json" ]; then echo '[]' > "$folder/aanbieders.json"; fi
SOR_HOME="$folder" "$sor" providers rights > "$folder/clickhouse_providers"
owned "$uid_sor" "$folder/aanbieders.json"
owned "$uid_clickhouse" "$folder/clickhouse_providers"
# One per audience of released figures and per such provider, and the administrator of their Grafana: what grafana-apply reads.
audiences=$(SOR_HOME="$folder" "$sor" grafana list --users)
mkdir -p "$folder/audiences"
for name in $audiences; do
  password "audiences/$name" "$uid_sor"
done
cp "$folder/grafana_audiences_admin" "$folder/audiences/grafana_admin"
owned "$uid_sor" "$folder/audiences"
# What the portal asks ClickHouse as: each audience, each such provider, and two tasks that read no row.
mkdir -p "$folder/portal/users"
for name in $audiences; do
  cp "$folder/audiences/$name" "$folder/portal/users/$name"
done
for name in receipts rejected; do
  cp "$folder/clickhouse_$name" "$folder/portal/users/$name"
done
password portal_secret "$uid_sor"
password registry_database "$uid_sor"

# ClickHouse knows hashes only.
{
  echo '<clickhouse><users>'
  for name in admin sink receipts rejected exporter grafana audit replay repair release reports $audiences; do
    file="$folder/audiences/$name"
    if [ ! -e "$file" ]; then file="$folder/clickhouse_$name"; fi
    hash=$(tr -d '\n' < "$file" | openssl dgst -sha256 -r | cut -d' ' -f1)
    echo "  <$name><password_sha256_hex>$hash</password_sha256_hex></$name>"
  done
  echo '</users></clickhouse>'
} > "$folder/clickhouse_passwords"
owned "$uid_clickhouse" "$folder/clickhouse_passwords"

# An authority of this installation, and the certificate of its broker. Put your own in place of both before going live.
if [ ! -s "$folder/kafka_tls" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj '/CN=SOR Kafka CA' \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign \
    -keyout "$folder/kafka_ca_key" -out "$folder/kafka_ca" 2> /dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=kafka' \
    -keyout "$work/key" -out "$work/request" 2> /dev/null
  openssl x509 -req -in "$work/request" -CA "$folder/kafka_ca" -CAkey "$folder/kafka_ca_key" -days 825 \
    -extfile <(printf 'subjectAltName=%s\n' "$hosts") -out "$work/certificate" 2> /dev/null
  cat "$work/key" "$work/certificate" "$folder/kafka_ca" > "$folder/kafka_tls"
  chmod 0644 "$folder/kafka_ca"
fi
owned "$uid_kafka" "$folder/kafka_tls"

if [ ! -e "$folder/keys/public" ]; then SOR_KEYS="$folder/keys" "$sor" keys init; fi
# Keys of an earlier release lack this folder; the others stay as they are.
if [ ! -e "$folder/keys/trajectories" ] || [ ! -e "$folder/keys/erasures" ]; then SOR_KEYS="$folder/keys" "$sor" keys complete; fi
# The key of the noise of released figures: it is never made anew.
if [ ! -e "$folder/keys/release" ]; then SOR_KEYS="$folder/keys" "$sor" release init; fi
# Who may deliver: docs/sources.md. Another administration keeps this folder.
if [ ! -e "$folder/keys/public/authority.pem" ]; then
  SOR_KEYS="$folder/keys" SOR_AUTHORITY="$folder/authority" "$sor" sources init --name "${AUTHORITY:-this installation}"
fi
# The intake: a hub that signs what it seals, and the secret that names deliveries. Keep a copy of both.
if [ ! -e "$folder/intake/source" ]; then
  SOR_KEYS="$folder/keys" SOR_AUTHORITY="$folder/authority" "$sor" sources issue intake --for-all --kind '*' --out "$folder/intake"
fi
if [ ! -e "$folder/intake/connector" ]; then
  mkdir -p "$folder/intake/connector"
  printf '{"secret": "%s"}' "$(openssl rand -base64 32)" > "$folder/intake/connector/keys.json"
fi
# The portal signs its tokens; the intake knows the public half, and that of another portal when you add it.
if [ ! -s "$folder/portal_token" ]; then openssl genpkey -algorithm ed25519 -out "$folder/portal_token"; fi
mkdir -p "$folder/visitors"
if [ ! -s "$folder/visitors/public.pem" ]; then openssl pkey -in "$folder/portal_token" -pubout -out "$folder/visitors/public.pem"; fi
# It gives certificates of hours by the intermediate, whose pair it has; never the root's. Another administration brings that pair.
mkdir -p "$folder/portal/authority" "$folder/portal/public"
newest=""
if [ -d "$folder/authority" ]; then newest=$(find "$folder/authority" -name 'intermediate-*.key' | sort -V | tail -n 1); fi
if [ -n "$newest" ] && [ -z "$(find "$folder/portal/authority" -name 'intermediate-*.key')" ]; then
  cp "$newest" "${newest%.key}.pem" "$folder/portal/authority"
fi
if [ ! -s "$folder/portal/authority/ledger.json" ]; then
  printf '{"lists": 0, "issued": []}' > "$folder/portal/authority/ledger.json"
fi
# Public files that it may not change, and a list of certificates of its own: what the authority issued and what it issued itself.
for name in keys.json revoked.pem; do
  ln -sfn "../../keys/public/$name" "$folder/portal/public/$name"
done
lists=()
for list in "$folder/portal/public/sources.pem" "$folder/keys/public/sources.pem"; do
  if [ -s "$list" ]; then lists+=("$list"); fi
done
if [ ${#lists[@]} -gt 0 ]; then
  awk 'BEGIN { RS = "-----END CERTIFICATE-----\n" } /BEGIN/ && !seen[$0]++ { printf "%s%s", $0, RS }' "${lists[@]}" \
    > "$folder/portal/public/.sources.pem"
  mv "$folder/portal/public/.sources.pem" "$folder/portal/public/sources.pem"
fi
chmod 0700 "$folder/portal" "$folder"/portal/*
chmod 0600 "$folder"/portal/authority/* "$folder"/portal/users/*
owned "$uid_sor" "$folder/portal" "$folder/portal_token" "$folder/visitors"
# Yours to fill: addresses for the reports, and the password at the mail server (docs/operations.md).
mkdir -p "$folder/mail"
# The logs of key use; the one thing below keys that a stage may write.
mkdir -p "$folder/keys/log/evaluate" "$folder/keys/log/entry"
chmod 0700 "$folder/keys/log" "$folder"/keys/log/*
owned "$uid_sor" "$folder/keys" "$folder/intake" "$folder/mail"
chmod 0755 "$folder/keys/public"
chmod 0644 "$folder"/keys/public/*

echo "Secrets are in $folder. Keep a copy of keys/evaluate, keys/entry and keys/release in two places that no single person can open,"
echo "move kafka_ca_key and the folder authority off this machine (the portal has the pair of its intermediate). A source gets keys/public, its own key and certificate, a token of the intake, and no password."
if [ "$(id -u)" != 0 ]; then echo "Not run as root: the containers cannot read these files yet. Run it again as root."; fi
