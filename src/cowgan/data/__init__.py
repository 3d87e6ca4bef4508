"""From folders of scans to what a network is trained on."""
