-- depends_on: {{ ref('raw_bookings') }}
with source as (

    select * from {{ source('booking', 'bookings') }}

),

renamed as (

    select
        id as booking_id,
        departure_id,
        passenger_id,
        cabin_type,
        berths,
        {{ cents_to_euros('price_cents') }} as price_eur,
        booked_at,
        cancelled_at,
        cancelled_at is not null as is_cancelled

    from source

)

select * from renamed
