trap "" HUP INT QUIT TERM
groups=
while read -r line; do
    id=${line#?} kept=
    for one in $groups; do [ "$one" = "$id" ] || kept="$kept $one"; done
    case $line in +*) groups="$kept $id" ;; *) groups=$kept ;; esac
done
for one in $groups; do [ "$one" -gt 1 ] && kill -s KILL -- "-$one"; done
