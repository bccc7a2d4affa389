-- depends_on: {{ ref('raw_breakfasts') }}
with source as (

    select * from {{ source('booking', 'breakfasts') }}

),

renamed as (

    select
        id as breakfast_id,
        booking_id,
        dish,
        quantity

    from source

)

select * from renamed
