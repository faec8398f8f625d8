"""iyzico marketplace: plays the PaymentGateway."""
