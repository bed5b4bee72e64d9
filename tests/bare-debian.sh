#!/usr/bin/env bash
# Proves the README's two commands in a clean Debian 12 root: made by debootstrap, with git and this user's rustup and
# nothing else. Needs root. `tests/bare-debian.sh [FOLDER]`; the folder is kept, and used again if it is there.
set -euo pipefail
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${1:-/var/tmp/stagedoor-bare-debian}

say() { printf '\n== bare: %s\n' "$*"; }
[ "$(id -u)" -eq 0 ] || { say "needs root, for debootstrap and chroot" >&2 && exit 1; }
command -v debootstrap > /dev/null || apt-get install --quiet=2 --yes --no-install-recommends debootstrap < /dev/null

main() {
    make_root
    trap unmount EXIT
    mount_what_a_machine_has
    copy_checkout
    say "the first command: demo"
    timeout 1500 chroot "$root" "${inside[@]}" bash -euc "$(declare -f demo_answers); demo_answers"
    say "the second command: the tests"
    chroot "$root" "${inside[@]}" bash -c 'cd /work/stagedoor && time CI=true bash .ci/run' < /dev/null
}

# git and certificates are what "git" on a real machine means; everything else is for ./run to find missing.
make_root() {
    [ -f "$root/made" ] && return
    say "making $root"
    debootstrap --variant=minbase --include=git,ca-certificates bookworm "$root"
    cp -L /etc/resolv.conf "$root/etc/resolv.conf"
    cp --recursive --no-clobber /usr/local/share/ca-certificates "$root/usr/local/share/"
    chroot "$root" update-ca-certificates > /dev/null 2>&1
    touch "$root/made"
}

# rustup as the user has it: the toolchain read-only, the crates cache on a layer that is thrown away.
mount_what_a_machine_has() {
    mkdir -p "$root"/root/{.cargo,.rustup}
    mount --bind /proc "$root/proc"
    mount --bind /dev "$root/dev"
    mount --bind "${RUSTUP_HOME:-$HOME/.rustup}" "$root/root/.rustup"
    mount -o remount,ro,bind "$root/root/.rustup"
    mount -t tmpfs tmpfs "$root/root/.cargo"
    cp --archive "${CARGO_HOME:-$HOME/.cargo}/bin" "$root/root/.cargo/bin"
}

unmount() {
    for folder in root/.cargo root/.rustup dev proc; do
        mountpoint --quiet "$root/$folder" && umount "$root/$folder"
    done
}

copy_checkout() {
    rm -rf "$root/work" && mkdir -p "$root/work"
    git clone --quiet "$checkout" "$root/work/stagedoor"
    [ -d "$checkout/../shared" ] && cp --recursive "$checkout/../shared" "$root/work/shared"
}

# What the machine must tell every program about its network, where it does; nothing else is passed in.
inside=(env -i HOME=/root PATH=/root/.cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM:-dumb}" RUSTUP_AUTO_INSTALL=0)

demo_answers() {
    cd /work/stagedoor
    ./run demo > /tmp/demo.log 2>&1 < /dev/null &
    demo=$!
    for _ in $(seq 1400); do
        grep -q 'http://' /tmp/demo.log && break
        kill -0 "$demo" 2> /dev/null || break
        sleep 1
    done
    cat /tmp/demo.log
    kill "$demo"
    grep -q 'http://' /tmp/demo.log
}

main
