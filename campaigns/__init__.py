"""The campaigns that come with the program; each a file to use or to copy and change."""
