"""`deskwatch top`: the bots of one or many sidecars, live in a terminal."""
