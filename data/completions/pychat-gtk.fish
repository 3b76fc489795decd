complete -c pychat-gtk -f -a '(__fish_print_hostnames)'
complete -c pychat-gtk -s n -l name -x -d 'The name to join under'
complete -c pychat-gtk -s v -l version -d 'Show the version and exit'
complete -c pychat-gtk -s h -l help -d 'Show the options and exit'
