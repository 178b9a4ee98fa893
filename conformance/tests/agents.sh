#!/bin/sh
# Agents that are of no use, one a mode; `modest` keeps to the protocol and claims nothing.
mode=$1
hello='"ok":true,"protocol":1,"impl":{"name":"modest","version":"0","language":"sh","homepage":null},"caps":{}'

case $mode in
strays) hello=$(echo "$hello" | sed 's|modest|x/../../EVIL|') ;;
exits) echo "out of coffee" >&2; exit 7 ;;
crashes) kill -SEGV $$ ;;
garbage) echo "Hello, I am an agent!" ;;
floods) exec tr '\0' x </dev/zero ;;
esac

while read -r line; do
    id=${line#*\"id\":}
    id=${id%%[,\}]*}
    case $mode$line in
    boasts*\"hello\"*) echo "{\"id\":$id,\"ok\":true,\"protocol\":1,\"impl\":{\"name\":\"boasts\",\"version\":\"0\",\"language\":\"sh\",\"homepage\":null},\"caps\":{\"telepathy\":true}}" ;;
    *\"hello\"*) echo "{\"id\":$id,$hello}" ;;
    *\"stop\"*) echo "{\"id\":$id,\"ok\":true}"; exit 0 ;;
    *) echo "{\"id\":$id,\"error\":{\"code\":\"not_supported\",\"definite\":true,\"text\":\"I am a shell script\"}}" ;;
    esac
done
