"""The commands `arrangements train` and `arrangements certify`, imported when they are chosen.

They join the command line through the entry points in pyproject.toml.

========  ========================================================================================
train     data in, a network out
certify   a network and data in, a certificate out
common    the options, checks and lines that both share
pictures  the fitted function, the training, the way down to a better network, its neurons
========  ========================================================================================
"""
