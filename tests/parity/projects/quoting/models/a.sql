select * from {{ source('raw', 'plain') }}, {{ source('raw', 'own') }}, {{ source('quiet', 'one') }}, {{ source('quiet', 'two') }}
