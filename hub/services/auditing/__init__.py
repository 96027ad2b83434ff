"""Re-verifying a whole hub from what is stored: nothing the hub says of itself is believed."""
