"""A policy that cannot be read."""

from farandole.reactors import Choreography, Retry

shop = Choreography("shop")
patient = Retry(first="3 sex")
