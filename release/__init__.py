"""How the program gets to people: the frozen folder, the Debian package, notices, the container."""
