"""The commands `arrangements train` and `arrangements certify`.

=======  =========================================================================================
certify  a network and data in, a report out
train    data and options in, a report out
=======  =========================================================================================
"""
