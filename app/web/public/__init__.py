"""What everybody may see: the public page and the wall screen."""
