"""keyward finds leaked credentials, and helps to replace them."""

__version__ = "0.1.0"
