"""The lab: a peering LAN in network namespaces."""
