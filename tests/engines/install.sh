#!/bin/sh
# Has Debian's packages installed that the tests of engines need.
exec sh "$(dirname "$0")/../install.sh" slurmctld=slurm-wlm munged=munge ip=iproute2
