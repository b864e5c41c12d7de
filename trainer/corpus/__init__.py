"""From files to rows of tokens: reading, cleaning, splitting by document, packing. No torch in here."""
