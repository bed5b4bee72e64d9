#!/usr/bin/env bash
# Proves the README's two commands in a clean Debian 12 root: made by debootstrap, with git and this user's rustup and
# nothing else. Needs root.
#
#   tests/bare-debian.sh              the demo, until it says what to open, then the tests as CI runs them
#   tests/bare-debian.sh COMMAND...   one command in a fresh clone there, `./run setup build` for example
#
# What is committed is what is proven: the clone knows nothing of uncommitted changes.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${BARE_DEBIAN:-/var/tmp/stagedoor-bare-debian}
DEMO_SECONDS_MAX=2400

main() {
    [ "$(id -u)" -eq 0 ] || fail "needs root, for debootstrap and chroot"
    make_root
    trap unmount EXIT
    mount_what_a_machine_has
    clone_checkout
    if [ "$#" -gt 0 ]; then
        inside "$@"
    else
        say "the first command"
        inside bash -euc "$(declare -f demo_speaks); demo_speaks $DEMO_SECONDS_MAX"
        say "the second command"
        inside env CI=true bash .ci/run
    fi
    say "done"
}

# git with the certificates it needs; everything else is for ./run to find missing.
make_root() {
    [ -f "$root/made" ] && return
    command -v debootstrap > /dev/null ||
        apt-get install --quiet=2 --yes --no-install-recommends debootstrap < /dev/null
    say "making a clean Debian 12 in $root"
    debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root" > "$root.log"
    # Debian's installer writes this one; debootstrap does not.
    printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
    # How this machine reaches the package registries: its name server and the certificates it trusts.
    cp --dereference /etc/resolv.conf "$root/etc/resolv.conf"
    cp --recursive --no-target-directory /usr/local/share/ca-certificates "$root/usr/local/share/ca-certificates"
    chroot "$root" update-ca-certificates > /dev/null 2>&1
    touch "$root/made"
}

# rustup as this user has it, read-only; crates are fetched anew, into a folder that is thrown away.
mount_what_a_machine_has() {
    mkdir -p "$root"/root/{.cargo,.rustup}
    mount --bind /proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mount --bind "${RUSTUP_HOME:-$HOME/.rustup}" "$root/root/.rustup"
    mount -o remount,ro,bind "$root/root/.rustup"
    mount -t tmpfs -o size=4G,mode=755 tmpfs "$root/root/.cargo"
    mkdir "$root/root/.cargo/bin"
    cp --no-dereference "${CARGO_HOME:-$HOME/.cargo}"/bin/{rustup,cargo,rustc,rustdoc,cargo-fmt,rustfmt,cargo-clippy,clippy-driver} \
        "$root/root/.cargo/bin"
}

unmount() {
    local folder
    for folder in root/.cargo root/.rustup dev proc; do
        if mountpoint --quiet "$root/$folder"; then umount --recursive --lazy "$root/$folder"; fi
    done
}

clone_checkout() {
    rm -rf "$root/work"
    mkdir -p "$root/work"
    git clone --quiet "$checkout" "$root/work/stagedoor"
    local shared
    shared=$(dirname "$(git -C "$checkout" rev-parse --path-format=absolute --git-common-dir)")/../shared
    if [ -d "$shared" ]; then cp --recursive "$shared" "$root/work/shared"; fi
}

inside() {
    env --ignore-environment HOME=/root PATH=/root/.cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot "$root" bash -c 'cd /work/stagedoor && exec "$@"' inside "$@" < /dev/null
}

# Runs there: starts the demo, waits until it names an address, asks that address, and ends it.
demo_speaks() {
    ./run demo > /tmp/demo.log 2>&1 &
    demo=$!
    for _ in $(seq "$1"); do
        grep -q 'http://' /tmp/demo.log && break
        kill -0 "$demo" || break
        sleep 1
    done
    cat /tmp/demo.log
    address=$(grep -o 'http://[^/ ]*:[0-9]*' /tmp/demo.log | head -1)
    authority=${address#http://}
    exec 3<> "/dev/tcp/127.0.0.1/${authority##*:}"
    printf 'GET / HTTP/1.1\r\nHost: %s\r\nAccept: text/html\r\nConnection: close\r\n\r\n' "$authority" >&3
    head -1 <&3
    kill "$demo"
}

say() { printf '\n== bare Debian: %s\n' "$*"; }
fail() { say "$*" >&2 && exit 1; }

main "$@"
