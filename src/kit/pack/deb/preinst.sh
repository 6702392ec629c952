#!/bin/sh
set -e
@say@
case $1 in
    install | upgrade)
@refuse@
        ;;
esac
