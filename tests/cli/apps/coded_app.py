"""The events of the shop, through a payload codec."""

from shop_app import Ordered

from farandole.reactors import Choreography
from farandole.schemas import Compress

shop = Choreography("shop", codec=Compress(at_least=1))
shop.know(Ordered)
