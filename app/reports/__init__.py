"""Words and pictures over typed figures: views, charts, sentences, documents."""
