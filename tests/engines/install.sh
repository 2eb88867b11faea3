#!/bin/sh
# Has Debian's packages installed that the tests of engines need.
exec sh "$(dirname "$0")/../install.sh" slurmctld=slurm-wlm munged=munge slurmdbd=slurmdbd mariadbd=mariadb-server-core \
    bindfs=bindfs ip=iproute2
