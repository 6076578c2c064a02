#!/usr/bin/env bash
# What monitoring and docker-compose.yml promise, checked with the tools that will read them.
# A missing tool is named and left out; with SOR_CHECK_ALL=1 (continuous integration) it is a failure.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-python3}
failed=0

# with TOOL PACKAGE COMMAND…: run the command when the tool is there
with() {
  local tool=$1 package=$2
  shift 2
  if ! command -v "$tool" > /dev/null; then
    echo "check: $tool is not here (Debian: apt-get install $package): left out '$*'" >&2
    if [ "${SOR_CHECK_ALL:-0}" = 1 ]; then failed=1; fi
    return 0
  fi
  # These tools are quiet only when they are asked to be: show their words when they refuse
  local words
  if ! words=$("$@" 2>&1); then
    printf '%s\n%s\n' "check: '$*' failed" "$words" >&2
    failed=1
  fi
}

# route RECEIVER LABEL…: an alert with these labels must reach that receiver
route() {
  local receiver=$1
  shift
  with amtool prometheus-alertmanager amtool config routes test \
    --config.file=monitoring/alertmanager/alertmanager.yml --verify.receivers="$receiver" "$@"
}

with promtool prometheus promtool check rules --lint=all --lint-fatal monitoring/alerts/sor.rules.yml
with promtool prometheus promtool check config --lint=all --lint-fatal monitoring/prometheus/prometheus.yml
with promtool prometheus promtool test rules monitoring/alerts/tests/*.yml
with amtool prometheus-alertmanager amtool check-config monitoring/alertmanager/alertmanager.yml
route operator severity=critical audience=operator
route operator severity=warning audience=operator
route functioneel-beheer severity=warning audience=functioneel-beheer
route operator severity=warning
with docker-compose docker-compose docker-compose --file docker-compose.yml config --quiet

for file in monitoring/grafana/dashboards/*.json; do
  "$python" -m json.tool "$file" > /dev/null || { echo "check: $file is no JSON" >&2; failed=1; }
done

if [ "$failed" = 0 ]; then echo "Rules, routes, compose file and dashboards are in order."; fi
exit "$failed"
