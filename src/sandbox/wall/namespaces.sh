# Makes a root that has the named files of the host, read-only, and no others, and starts a program
# in it as nobody. Runs as the first process of namespaces of its own, in which it may mount.
# Usage: namespaces.sh STEP..., where a step is
#   link PATH TARGET | folder PATH | file PATH | protect PATH MOUNT_OPTIONS | run PROGRAM ARGUMENT...
set -eu
umask 022
# Every machine has this folder, and nothing that a program reads is below it.
root=/sys
mount -t tmpfs -o mode=755,size=1m,nosuid,nodev codemode "$root"
while [ "$1" != run ]; do
  case $1 in
    link)
      mkdir -p "$root${2%/*}"
      ln -s "$3" "$root$2"
      shift ;;
    folder)
      mkdir -p "$root$2"
      mount --rbind "$2" "$root$2" ;;
    file)
      mkdir -p "$root${2%/*}"
      : > "$root$2"
      mount --bind "$2" "$root$2" ;;
    protect)
      mount -o "remount,bind,$3" "$root$2"
      shift ;;
  esac
  shift 2
done
shift
mount -o remount,bind,ro,nosuid,nodev "$root"
hostname localhost 2> /dev/null || : # the host's is nobody's business; without the right to set it, it stays
unset PWD OLDPWD
# A user namespace of its own, so that nothing here belongs to it; Linux lets no process make another
# one, and thereby get its rights, once its root is changed.
exec unshare --user --map-user=65534 --map-group=65534 --root="$root" --wd=/ "$@"
