-- depends_on: {{ ref('raw_fares') }}
with source as (

    select * from {{ source('booking', 'fares') }}

),

renamed as (

    select
        id as fare_id,
        line as line_code,
        cabin_type,
        {{ cents_to_euros('price_cents') }} as price_eur,
        updated_at

    from source

)

select * from renamed
