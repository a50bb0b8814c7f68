"""How single formats write a text otherwise than it is meant. `keyward.formats.views` chooses among them."""
