#!/bin/sh
# Written by sor dashboards from the list of audiences: do not edit.
# Makes the organisations of the audiences, in a Grafana that runs without their data sources. Usage:
#   GRAFANA=http://admin:<password>@127.0.0.1:3001 sh organisations.sh
set -eu

organisation() {
  found=$(curl --silent --fail "$GRAFANA/api/orgs/$1" || true)
  [ -n "$found" ] || curl --silent --fail --json "{\"name\": \"$2\"}" "$GRAFANA/api/orgs" >/dev/null
  curl --silent --fail "$GRAFANA/api/orgs/$1" | grep -q "\"name\":\"$2\"" || {
    echo "Organisation $1 is not $2: the data sources would go to another." >&2
    exit 1
  }
}

organisation 2 "Gemeente Amsterdam"
organisation 3 "Gemeente Aalsmeer"
organisation 4 "Gemeente Amstelveen"
organisation 5 "Gemeente Diemen"
organisation 6 "Gemeente Ouder-Amstel"
organisation 7 "Gemeente Uithoorn"
organisation 8 "Gemeente Edam-Volendam"
organisation 9 "Gemeente Landsmeer"
organisation 10 "Gemeente Oostzaan"
organisation 11 "Gemeente Purmerend"
organisation 12 "Gemeente Waterland"
organisation 13 "Gemeente Wormerland"
organisation 14 "Gemeente Zaanstad"
organisation 15 "Gemeente Almere"
organisation 16 "Cluster Amsterdam"
organisation 17 "Cluster Amstelveen-Aalsmeer"
organisation 18 "Cluster DUO"
organisation 19 "Cluster Zaanstreek-Waterland"
organisation 20 "Aanbieders Amsterdam"
organisation 21 "Aanbieders Amstelveen-Aalsmeer"
organisation 22 "Aanbieders DUO"
organisation 23 "Aanbieders Zaanstreek-Waterland"
