say() { # say ENGLISH CHINESE
    case "${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}" in
        zh*.[Gg][Bb]*) printf 'supervisor-kit: %s\n' "$1" >&2 ;;
        zh*) printf 'supervisor-kit: %s\n' "$2" >&2 ;;
        *) printf 'supervisor-kit: %s\n' "$1" >&2 ;;
    esac
}
