select * from {{ source('raw', 'b') }}
