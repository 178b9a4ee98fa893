#!/bin/sh
# Agents that misbehave, one a mode. What they say up to then is right, so that the fault is the one that is meant.
mode=$1
hello='"ok":true,"protocol":1,"impl":{"name":"rogue","version":"0","language":"sh","homepage":null},"caps":{}'

case $mode in
silent) exec cat >/dev/null ;;
exits) exit 7 ;;
dies) kill -SEGV $$ ;;
endless_line) exec tr '\0' x </dev/zero ;;
garbage) echo "Hello, I am an agent!" ;;
number) echo 42 ;;
bad_event) echo '{"ev":"lunch"}' ;;
fatal) echo '{"ev":"fatal","text":"no coffee"}' ;;
nobody_asked) echo '{"id":99,"ok":true}' ;;
stderr) echo "the reason why" >&2; exit 1 ;;
early_event) echo '{"ev":"peer","endpoint":1,"peer":null,"connected":true}' ;;
esac

while read -r line; do
    id=${line#*\"id\":}
    id=${id%%[,\}]*}
    case $mode$line in
    says_yes*) echo "{\"id\":$id,$hello,\"count\":0}" ;;
    no_impl*\"hello\"*) echo "{\"id\":$id,\"ok\":true,\"protocol\":1,\"caps\":{}}" ;;
    misspelt*\"hello\"*) echo "{\"id\":$id,\"ok\":true,\"protocol\":1,\"impl\":{\"name\":\"rogue\",\"version\":\"0\",\"language\":\"sh\",\"homepage\":null},\"caps\":{\"multiparts\":true}}" ;;
    twice*\"hello\"*) echo "{\"id\":$id,$hello}"; echo "{\"id\":$id,$hello}" ;;
    both*\"hello\"*) echo "{\"id\":$id,$hello,\"error\":{}}" ;;
    *\"hello\"*) echo "{\"id\":$id,$hello}" ;;
    wrong_count*\"peers\"*) echo "{\"id\":$id,\"ok\":true,\"count\":-1}" ;;
    late_flood*\"peers\"*) exec yes '{"ev":"peer","endpoint":1,"peer":null,"connected":true}' ;;
    leaves_early*\"peers\"*) exit 0 ;;
    ignores_stop*\"stop\"*) ;;
    *bogus_*) echo "{\"id\":$id,\"error\":{\"code\":\"not_supported\",\"definite\":true,\"text\":\"?\"}}" ;;
    *\"stop\"*) echo "{\"id\":$id,\"ok\":true}"; exit 0 ;;
    *) echo "{\"id\":$id,\"ok\":true}" ;;
    esac
done
