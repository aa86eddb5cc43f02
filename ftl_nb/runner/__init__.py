"""The processes that serve: one module each (`main`), one database each (`database`); forked by the zygote."""
