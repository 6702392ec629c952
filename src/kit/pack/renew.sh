# What becomes of a daemon that still runs the old program is the policy of the host, which the new installer knows. The
# package is whole either way, so nothing that it says is a reason for the package manager to fail.
renew() {
    supervisor-install restart-by-policy >&2 || true
}
