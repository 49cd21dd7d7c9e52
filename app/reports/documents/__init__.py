"""Reports as files: PDF in the layout of official letters, XLSX with real numbers."""
