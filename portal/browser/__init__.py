"""What the browser of a provider runs: its sources, and how the bundle is made of them."""
