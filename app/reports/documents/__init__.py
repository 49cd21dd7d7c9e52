"""Reports as files: official letters as PDF and as DOCX to edit, XLSX with real numbers."""
