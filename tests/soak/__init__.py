"""Everything that breaks, one after another, on a service under load; then what must still hold.

``make soak`` draws the order of troubles from a seed. At its end every acknowledged response must
be stored, once, the cells must equal a recount, the audit log must hold, and clients must have
seen nothing but answers and problems that say when to come again.
"""
