"""What is printed for survey points: posters and desk cards with their QR codes."""
