#!/bin/sh
# /usr/local/bin/hailong: the command as the service's user, with the service's settings.
set -a
. /etc/hailong/env
set +a
exec runuser -u hailong -- /opt/hailong/venv/bin/hailong "$@"
