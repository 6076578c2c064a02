"""The pages of the portal, made on the server."""
