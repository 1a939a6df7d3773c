module twenty-conform.example/twentyconform

go 1.18
